package auth

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestEndpointAway has the server of tokens refuse, or not answer at all, when a token is to be replaced that is still good for
// long: whoever asks has that one, and the server is asked once for a while.
func TestEndpointAway(t *testing.T) {
	for name, silent := range map[string]bool{"refuses": false, "silent": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			end := make(chan struct{})
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				if silent {
					<-end
				}
				w.WriteHeader(http.StatusServiceUnavailable)
			}))
			defer s.Close()
			defer close(end)
			e := NewEndpoint(ClientCredentials{URL: s.URL, ID: "me", Secret: "x", ReadTimeout: time.Minute})
			e.token, e.renew = Token{Value: "old", Expiry: time.Now().Add(time.Hour)}, time.Now()
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for range 20 {
						if got, err := e.Token(t.Context()); err != nil || got.Value != "old" {
							t.Errorf("%+v, %v", got, err)
						}
					}
				})
			}
			all.Wait()
			if n := asked.Load(); n != 1 {
				t.Errorf("the server was asked %d times", n)
			}
		})
	}
}
