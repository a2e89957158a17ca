package wire_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native/wire"
)

// TestSASLRequests compares with kmsg's encoding.
func TestSASLRequests(t *testing.T) {
	handshake := kmsg.NewPtrSASLHandshakeRequest()
	handshake.Version, handshake.Mechanism = 1, "SCRAM-SHA-256"
	if got, want := wire.AppendSASLHandshake(nil, "SCRAM-SHA-256"), handshake.AppendTo(nil); !bytes.Equal(got, want) {
		t.Errorf("SaslHandshake: %x, want %x", got, want)
	}
	for version := int16(0); version <= 2; version++ {
		req := kmsg.NewPtrSASLAuthenticateRequest()
		req.Version, req.SASLAuthBytes = version, []byte("n,,n=user,r=nonce")
		if got, want := wire.AppendSASLAuthenticate(nil, version, req.SASLAuthBytes), req.AppendTo(nil); !bytes.Equal(got, want) {
			t.Errorf("SaslAuthenticate v%d: %x, want %x", version, got, want)
		}
		if got := wire.Flexible(wire.KeySASLAuthenticate, version); got != req.IsFlexible() {
			t.Errorf("SaslAuthenticate v%d: flexible %t", version, got)
		}
	}
}

// TestSASLResponses reads what kmsg wrote.
func TestSASLResponses(t *testing.T) {
	handshake := kmsg.NewPtrSASLHandshakeResponse()
	handshake.Version, handshake.ErrorCode, handshake.SupportedMechanisms = 1, 33, []string{"PLAIN", "OAUTHBEARER"}
	r := wire.NewReader(handshake.AppendTo(nil), false)
	code, mechanisms, err := wire.DecodeSASLHandshake(&r)
	if diff := cmp.Diff(handshake.SupportedMechanisms, mechanisms); err != nil || code != 33 || diff != "" || r.Len() != 0 {
		t.Errorf("code %d, %v, %d bytes left %s", code, err, r.Len(), diff)
	}
	message := "no"
	for version := int16(0); version <= 2; version++ {
		resp := kmsg.NewPtrSASLAuthenticateResponse()
		resp.Version, resp.ErrorCode, resp.ErrorMessage, resp.SASLAuthBytes, resp.SessionLifetimeMillis = version, 58, &message, []byte("v=sig"), 1500
		want := wire.SASLAuthenticate{Code: 58, Message: message, Token: []byte("v=sig"), LifetimeMS: 1500}
		if version == 0 {
			want.LifetimeMS = 0
		}
		r := wire.NewReader(resp.AppendTo(nil), version >= 2)
		got, err := wire.DecodeSASLAuthenticate(&r, version)
		if diff := cmp.Diff(want, got); err != nil || diff != "" || r.Len() != 0 {
			t.Errorf("v%d: %v, %d bytes left %s", version, err, r.Len(), diff)
		}
	}
}

func FuzzSASLResponses(f *testing.F) {
	f.Add([]byte{0, 33, 0, 0, 0, 1, 0, 1, 'x'})
	f.Add([]byte{0, 58, 0, 0, 2, 'x', 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := wire.NewReader(b, false)
		_, mechanisms, _ := wire.DecodeSASLHandshake(&r)
		size := 0
		for _, m := range mechanisms {
			size += len(m)
		}
		for version := int16(0); version <= 2; version++ {
			r := wire.NewReader(b, version >= 2)
			if a, _ := wire.DecodeSASLAuthenticate(&r, version); len(a.Token)+len(a.Message) > len(b) || size > len(b) {
				t.Errorf("more than there is")
			}
		}
	})
}
