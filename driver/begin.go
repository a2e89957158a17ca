package driver

import "context"

// Begin is how an adapter of a foreign client opens: it refuses a configuration that d can't carry out, looks with
// connections of its own whether producing can work at all (Preflight), and returns what the client is to connect with: a
// Dialer whose connections the meter counts, and which knows what the client has to authenticate itself with.
func Begin(ctx context.Context, d Driver, cfg *Config) (*Dialer, *WireMeter, error) {
	if err := Check(d, &cfg.Producer); err != nil {
		return nil, nil, err
	}
	security, err := Security(ctx, &cfg.Producer)
	if err != nil {
		return nil, nil, err
	}
	first := NewDialer(&cfg.Producer, nil)
	first.Security, first.authenticate = security, true
	first.Security.Curious = true
	if _, err := Preflight(ctx, *cfg, first.DialContext); err != nil {
		return nil, nil, err
	}
	meter := NewWireMeter(&cfg.Producer)
	dialer := NewDialer(&cfg.Producer, meter)
	dialer.Security, dialer.tap = security, cfg.Tap
	return dialer, meter, nil
}
