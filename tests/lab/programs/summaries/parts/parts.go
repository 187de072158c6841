package parts

import (
	"io"
	"net/http"
)

type Source interface {
	Load(id string) (string, error)
}

type Remote struct {
	Client *http.Client
	URL    string
}

func (s Remote) Load(id string) (string, error) {
	r, err := s.Client.Get(s.URL + "?id=" + id)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return string(b), err
}
