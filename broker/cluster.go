package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kbench/native/auth"
)

const (
	clientID    = "kbench-admin"
	connectTime = 5 * time.Second  // Connect's bound
	retryTime   = 15 * time.Second // for how long a request is repeated that failed for a reason that may pass
)

// Cluster is admin access to a running cluster. Its methods may be called from any goroutine.
type Cluster struct {
	cl   *kgo.Client
	adm  *kadm.Client
	apis map[int16]bool // keys of the requests that the broker asked first offers
}

// ClusterInfo says what a cluster is.
type ClusterInfo struct {
	// Brokers is how many are alive.
	Brokers int
	// Version is Kafka's, as far as the requests that the brokers offer tell it: "4.3", "between 3.8 and 3.9", "".
	Version string
}

// Connect reaches a cluster through one of the bootstrap addresses (host:port), or says within 5 s why it can't: each
// address with its own reason.
func Connect(ctx context.Context, bootstrap []string) (*Cluster, error) {
	return ConnectSecured(ctx, bootstrap, auth.Config{})
}

// ConnectSecured is Connect with connections that are secured.
func ConnectSecured(ctx context.Context, bootstrap []string, security auth.Config) (*Cluster, error) {
	if len(bootstrap) == 0 {
		return nil, errors.New("no address of a broker: want host:port,…")
	}
	probing, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	seen, err := firstLook(probing, bootstrap, security)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("connecting to %s: %w", strings.Join(bootstrap, ","), ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(seen.addrs()...),
		kgo.ClientID(clientID),
		kgo.DisableClientMetrics(),
		kgo.DialTimeout(dialTime),
		kgo.RetryTimeout(retryTime),
		kgo.MetadataMinAge(50 * time.Millisecond),
	}
	if security.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(security.TLS))
	}
	if security.SASL != nil {
		opts = append(opts, kgo.SASL(security.SASL))
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("can't make an admin client: %w", err)
	}
	return &Cluster{cl: cl, adm: kadm.NewClient(cl), apis: seen.apis}, nil
}

// Close ends the connections.
func (c *Cluster) Close() { c.cl.Close() }

// firstLook finds a broker that answers and checks that the brokers can be reached where they say.
func firstLook(ctx context.Context, bootstrap []string, security auth.Config) (seen, error) {
	security.Curious = true
	s, errs := firstGood(ctx, bootstrap, func(ctx context.Context, addr string) (seen, error) { return lookAt(ctx, addr, security) })
	if errs != nil && slices.ContainsFunc(errs, auth.Known) {
		return s, joinLine(errs)
	}
	if errs != nil {
		return s, fmt.Errorf("no Kafka broker reached: %w", joinLine(errs))
	}
	return s, checkAdvertised(ctx, s, security)
}

// firstGood calls try for all addresses at once and returns the first good result, or all errors in the addresses' order.
func firstGood[T any](ctx context.Context, addrs []string, try func(context.Context, string) (T, error)) (T, []error) {
	type answer struct {
		i   int
		got T
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answer, len(addrs))
	for i, addr := range addrs {
		go func() {
			got, err := try(ctx, addr)
			answers <- answer{i, got, err}
		}()
	}
	errs := make([]error, len(addrs))
	for range addrs {
		a := <-answers
		if a.err == nil {
			return a.got, nil
		}
		errs[a.i] = a.err
	}
	var none T
	return none, errs
}

// seen is what a first look at a cluster shows.
type seen struct {
	addr     string // who answered
	metadata *kmsg.MetadataResponse
	apis     map[int16]bool
}

// advertised are the addresses under which the brokers want to be reached.
func (s seen) advertised() []string {
	addrs := make([]string, len(s.metadata.Brokers))
	for i, b := range s.metadata.Brokers {
		addrs[i] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	}
	return addrs
}

// addrs are all addresses worth starting from: not those among the bootstrap addresses that gave no answer.
func (s seen) addrs() []string {
	addrs := s.advertised()
	if !slices.Contains(addrs, s.addr) {
		addrs = append(addrs, s.addr)
	}
	return addrs
}

// lookAt asks one address who it is and who else there is.
func lookAt(ctx context.Context, addr string, security auth.Config) (seen, error) {
	p, err := dialSecured(ctx, addr, security)
	if err != nil {
		return seen{}, err
	}
	defer p.close()
	versions, err := p.apiVersions(ctx)
	if err != nil {
		return seen{}, err
	}
	s := seen{addr: addr, apis: map[int16]bool{}}
	for _, api := range versions.ApiKeys {
		s.apis[api.ApiKey] = true
	}
	if s.metadata, err = p.brokers(ctx); isHangUp(err) && security.SASL == nil {
		err = fmt.Errorf("%s: closed the connection on the first request: does the listener want SASL (security.protocol)?", addr)
	}
	return s, err
}

// checkAdvertised fails when none of the addresses under which the brokers want to be reached can be: the commonest
// trouble with advertised.listeners, which clients show only as time-outs.
func checkAdvertised(ctx context.Context, s seen, security auth.Config) error {
	if len(s.metadata.Brokers) == 0 {
		return errors.New("the cluster names no live broker")
	}
	_, errs := firstGood(ctx, s.advertised(), func(ctx context.Context, addr string) (bool, error) {
		p, err := dialSecured(ctx, addr, security)
		if err != nil {
			return false, err
		}
		p.close()
		return true, nil
	})
	if errs == nil {
		return nil
	}
	return fmt.Errorf("the cluster answers, but none of the addresses that its brokers advertise can be reached (advertised.listeners): %w", joinLine(errs))
}

// Info asks the cluster how many brokers it has and which version of Kafka they are.
func (c *Cluster) Info(ctx context.Context) (ClusterInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, retryTime)
	defer cancel()
	m, err := c.adm.BrokerMetadata(ctx)
	if err != nil {
		return ClusterInfo{}, fmt.Errorf("asking for the brokers: %w", plain(err))
	}
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "kbench", "0"
	resp, err := req.RequestWith(ctx, c.cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		return ClusterInfo{}, fmt.Errorf("asking for the version: %w", plain(err))
	}
	return ClusterInfo{Brokers: len(m.Brokers), Version: guessVersion(resp)}, nil
}

// guessVersion tells Kafka's version by the requests that a broker offers.
func guessVersion(resp *kmsg.ApiVersionsResponse) string {
	guess := kversion.FromApiVersionsResponse(resp).VersionGuess()
	if strings.Contains(guess, "unknown") || strings.HasPrefix(guess, "not even") {
		return ""
	}
	words := strings.Fields(guess)
	for i, w := range words {
		words[i] = strings.TrimPrefix(w, "v")
	}
	return strings.Join(words, " ")
}

// joinLine joins errors in one line.
func joinLine(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return lineError{errs}
}

// lineError is errors.Join's, on one line.
type lineError struct{ errs []error }

// Error implements error.
func (e lineError) Error() string {
	text := make([]string, len(e.errs))
	for i, err := range e.errs {
		text[i] = err.Error()
	}
	return strings.Join(text, "; ")
}

// Unwrap gives errors.Is and errors.As all of them.
func (e lineError) Unwrap() []error { return e.errs }

// plain puts the client's errors that users see most into plain words.
func plain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer in time: %w", err)
	}
	return err
}
