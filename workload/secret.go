package workload

import "fmt"

// hidden stands for a secret value wherever one is shown. Given as a value it says nothing: a plan that was written down can
// be read back, and the secret has to be given anew.
const hidden = "***"

// Secret is a value that is never shown: however it is printed, it is *** (or empty, if it is empty).
type Secret struct{ value *string } // behind a pointer: even a print of a struct around it shows an address at most

// NewSecret hides value.
func NewSecret(value string) Secret { return Secret{&value} }

// Reveal is the value itself, for whom it is meant.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// String hides the value.
func (s Secret) String() string {
	if s.Reveal() == "" {
		return ""
	}
	return hidden
}

// Format hides the value from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// MarshalText hides the value from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Equal tells whether two secrets are the same.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }
