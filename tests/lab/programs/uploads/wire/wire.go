package wire

import (
	"encoding/json"
	"io"
)

func Read(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	return d.Decode(into)
}
