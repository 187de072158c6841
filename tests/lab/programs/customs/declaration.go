package main

import (
	"errors"
	"fmt"
	"math/rand"
	"regexp"
)

// declaration is what a carrier says of one consignment.
type declaration struct {
	Plate     string `json:"plate"`
	Trader    string `json:"trader"`
	Commodity string `json:"commodity"`
	Invoice   string `json:"invoice"`
	Contact   string `json:"contact"`
}

// formats are the rules of the authority's handbook, field by field.
var formats = []struct {
	field, format string
	of            func(d *declaration) string
}{
	{"plate", `^[A-Z]{1,3}-[A-Z]{1,2}-\d{1,4}[EH]?$`, func(d *declaration) string { return d.Plate }},
	{"trader", `^(AT|BE|DE|DK|ES|FR|IT|NL|PL)[0-9A-Z]{8,15}$`, func(d *declaration) string { return d.Trader }},
	{"commodity", `^\d{4}( ?\d{2}){2,3}$`, func(d *declaration) string { return d.Commodity }},
	{"invoice", `^[A-Z]{2,4}/(19|20)\d{2}/\d{3,7}$`, func(d *declaration) string { return d.Invoice }},
	{"contact", `^[\w.+-]+@(\w[\w-]{0,40}\.){1,3}[a-z]{2,12}$`, func(d *declaration) string { return d.Contact }},
}

// check says which fields are not as the handbook has them.
func (d *declaration) check() error {
	var problems []error
	for _, f := range formats {
		ok, err := regexp.MatchString(f.format, f.of(d))
		if err != nil || !ok {
			problems = append(problems, fmt.Errorf("%s: want %s", f.field, f.format))
		}
	}
	return errors.Join(problems...)
}

func sample(rng *rand.Rand) declaration {
	n := rng.Intn(9000)
	return declaration{
		Plate:     fmt.Sprintf("KA-QX-%d", n+1),
		Trader:    fmt.Sprintf("NL%09dB%02d", n*731, n%97),
		Commodity: fmt.Sprintf("%04d %02d %02d", 1000+n, n%100, n%60),
		Invoice:   fmt.Sprintf("RE/2024/%05d", n),
		Contact:   fmt.Sprintf("freight+%d@dock-%d.example.org", n, n%31),
	}
}
