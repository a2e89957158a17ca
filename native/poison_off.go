//go:build !poison

package native

// poison overwrites freed buffers, so that a writer that still holds one sends rubbish instead of old records.
const poison = false
