package page

import (
	"fmt"
	"strings"
)

type Row struct {
	ID   int
	Name string
}

func Table(rows []Row) string {
	s := ""
	for _, r := range rows {
		s += line(r)
	}
	return strings.ToUpper(s)
}

func line(r Row) string {
	return fmt.Sprintf("<tr><td>%06d</td><td>%s</td></tr>\n", r.ID, r.Name)
}
