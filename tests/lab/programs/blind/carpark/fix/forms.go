package main

// What the barriers send. Each field knows what it may look like.

type plate string

func (p *plate) UnmarshalText(text []byte) error {
	*p = plate(text)
	return plates.check(text)
}

type bay string

func (b *bay) UnmarshalText(text []byte) error {
	*b = bay(text)
	return bays.check(text)
}

type badge string

func (b *badge) UnmarshalText(text []byte) error {
	*b = badge(text)
	return badges.check(text)
}

type passage struct {
	Plate plate `json:"plate"`
	Bay   bay   `json:"bay"`
	Badge badge `json:"badge"`
	Out   bool  `json:"out"`
}
