package driver

import "context"

// Begin is how an adapter of a foreign client opens: it refuses a configuration that d can't carry out, looks with
// connections of its own whether producing can work at all (Preflight), and returns what the client is to connect with: a
// Dialer whose connections the meter counts.
func Begin(ctx context.Context, d Driver, cfg *Config) (*Dialer, *WireMeter, error) {
	if err := Check(d, &cfg.Producer); err != nil {
		return nil, nil, err
	}
	if _, err := Preflight(ctx, *cfg, NewDialer(&cfg.Producer, nil).DialContext); err != nil {
		return nil, nil, err
	}
	meter := NewWireMeter()
	return NewDialer(&cfg.Producer, meter), meter, nil
}
