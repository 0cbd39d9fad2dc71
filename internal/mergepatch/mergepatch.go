// Package mergepatch applies JSON Merge Patches (RFC 7396). It does not decode values, so that
// numbers keep all their digits.
package mergepatch

import (
	"bytes"
	"encoding/json"
)

// IsObject tells whether doc, which is valid JSON, is an object.
func IsObject(doc []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(doc, " \t\r\n"), []byte("{"))
}

func isNull(doc []byte) bool { return bytes.Equal(bytes.TrimSpace(doc), []byte("null")) }

// Apply returns target with patch applied, as section 2 of the RFC defines it. If the patch is an
// object, a target that is empty or not an object counts as an empty object. Both must be valid
// JSON, but for an empty target.
func Apply(target, patch []byte) ([]byte, error) {
	if !IsObject(patch) {
		return patch, nil
	}
	var changes map[string]json.RawMessage
	if err := json.Unmarshal(patch, &changes); err != nil {
		return nil, err
	}
	merged := map[string]json.RawMessage{}
	if IsObject(target) {
		if err := json.Unmarshal(target, &merged); err != nil {
			return nil, err
		}
	}
	for name, value := range changes {
		if isNull(value) {
			delete(merged, name)
			continue
		}
		next, err := Apply(merged[name], value)
		if err != nil {
			return nil, err
		}
		merged[name] = next
	}
	return json.Marshal(merged)
}
