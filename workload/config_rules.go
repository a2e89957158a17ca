package workload

import (
	"fmt"
	"strings"
	"time"
)

// idempotentInFlight is the most requests in flight with which a broker can tell duplicates: it keeps five batches of
// sequence numbers per producer and partition.
const idempotentInFlight = 5

// settle sets what follows from other settings where the user didn't say: idempotence goes off where acks, retries or
// the requests in flight exclude it, and the delivery timeout is raised to linger.ms + request.timeout.ms.
// See ProducerConfig.postProcessAndValidateIdempotenceConfigs and KafkaProducer.configureDeliveryTimeout in Kafka.
func (c *ProducerConfig) settle() {
	if c.Explicit("enable.idempotence") {
		c.idempotenceOff = false
	} else if c.EnableIdempotence || c.idempotenceOff {
		c.idempotenceOff = c.againstIdempotence() != ""
		c.EnableIdempotence = !c.idempotenceOff
	}
	if c.Explicit("delivery.timeout.ms") {
		c.deliveryWas = 0
		return
	}
	if c.deliveryWas > 0 {
		c.DeliveryTimeout, c.deliveryWas = c.deliveryWas, 0
	}
	if least := c.leastDelivery(); c.DeliveryTimeout < least {
		c.deliveryWas, c.DeliveryTimeout = c.DeliveryTimeout, least
	}
}

// forgetExplicit makes the present values defaults, as if nobody had given them; what settle derives starts afresh.
func (c *ProducerConfig) forgetExplicit() {
	defaults := DefaultProducerConfig()
	c.set, c.idempotenceOff, c.deliveryWas = nil, false, 0
	c.EnableIdempotence, c.DeliveryTimeout = defaults.EnableIdempotence, defaults.DeliveryTimeout
}

// leastDelivery is the smallest delivery.timeout.ms that linger.ms and request.timeout.ms leave.
func (c *ProducerConfig) leastDelivery() time.Duration {
	return min(c.Linger+c.RequestTimeout, maxMS*time.Millisecond)
}

// againstIdempotence returns the setting that excludes idempotence, as name=value, or "".
func (c *ProducerConfig) againstIdempotence() string {
	switch {
	case c.Acks != -1:
		return "acks=" + c.Get("acks")
	case c.Retries == 0:
		return "retries=0"
	case c.MaxInFlight > idempotentInFlight:
		return "max.in.flight.requests.per.connection=" + c.Get("max.in.flight.requests.per.connection")
	}
	return ""
}

// Validate checks the rules between settings, after settling what follows from the explicit ones (see Notes).
func (c *ProducerConfig) Validate() error {
	c.settle()
	return c.clashes().orNil()
}

// clashes returns the contradictions between settings.
func (c *ProducerConfig) clashes() problems {
	var all problems
	clash := func(name, format string, args ...any) {
		all = append(all, &fieldError{path: name, msg: fmt.Sprintf(format, args...), clash: true})
	}
	if against := c.againstIdempotence(); c.EnableIdempotence && against != "" {
		clash("enable.idempotence", "true contradicts %s: idempotence needs acks=all, retries above 0 and "+
			"max.in.flight.requests.per.connection of at most %d", against, idempotentInFlight)
	}
	if c.TransactionalID != "" && !c.EnableIdempotence {
		why := "enable.idempotence=false"
		if c.idempotenceOff {
			why = c.againstIdempotence() + ", which turns idempotence off"
		}
		clash("transactional.id", "transactions need idempotence, but there is %s", why)
	}
	if least := c.leastDelivery(); c.DeliveryTimeout < least {
		clash("delivery.timeout.ms", "%d is less than linger.ms + request.timeout.ms = %d + %d: allowed %d and more",
			c.DeliveryTimeout.Milliseconds(), c.Linger.Milliseconds(), c.RequestTimeout.Milliseconds(), least.Milliseconds())
	}
	for _, s := range c.Security.clashes() {
		clash(s.name, "%s", s.why)
	}
	return all
}

// Notes tells, one line each, what was settled without having been asked: idempotence turned off, a timeout raised.
func (c *ProducerConfig) Notes() []string {
	var notes []string
	if c.idempotenceOff {
		notes = append(notes, fmt.Sprintf("enable.idempotence is off because of %s", c.againstIdempotence()))
	}
	if c.deliveryWas > 0 {
		notes = append(notes, fmt.Sprintf("delivery.timeout.ms is raised from %d to %d, that is, linger.ms + request.timeout.ms",
			c.deliveryWas.Milliseconds(), c.DeliveryTimeout.Milliseconds()))
	}
	if idle := c.idleSecurity(); len(idle) > 0 {
		notes = append(notes, fmt.Sprintf("%s: without effect with security.protocol=%s", strings.Join(idle, ", "), c.Security.Protocol))
	}
	for _, pair := range [][2]string{{"retry.backoff.ms", "retry.backoff.max.ms"}, {"reconnect.backoff.ms", "reconnect.backoff.max.ms"}} {
		if c.ms(pair[0]) > c.ms(pair[1]) {
			notes = append(notes, fmt.Sprintf("%s=%s is above %s=%s, which is used from the first pause on",
				pair[0], c.Get(pair[0]), pair[1], c.Get(pair[1])))
		}
	}
	return notes
}

// ms returns one of the two backoff settings and their maxima.
func (c *ProducerConfig) ms(name string) time.Duration {
	switch name {
	case "retry.backoff.ms":
		return c.RetryBackoff
	case "retry.backoff.max.ms":
		return c.RetryBackoffMax
	case "reconnect.backoff.ms":
		return c.ReconnectBackoff
	}
	return c.ReconnectBackoffMax
}
