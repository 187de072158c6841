package main

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// The head office: it hands out everything it knows as one document.

func document(sheets int) []byte {
	places := []string{"Harz", "Rhön", "Eifel", "Spessart", "Taunus"}
	b := append([]byte(nil), `{"edition":"winter","sheets":[`...)
	for i := 0; i < sheets; i++ {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"number":`...), int64(i), 10)
		b = strconv.AppendInt(append(b, `,"species":"carex-`...), int64(i%400), 10)
		b = append(append(b, `","place":"`...), places[i%len(places)]...)
		b = strconv.AppendInt(append(b, `","height":`...), int64(100+i%1700), 10)
		b = strconv.AppendInt(append(b, `,"finder":{"name":"finder `...), int64(i%90), 10)
		b = append(b, `","club":"north"},"marks":[3,1,4,1],"notes":["dry meadow","in flower"],"weather":{"sky":"clear","rain":0.5,`...)
		b = append(b, `"wind":[2.5,3.5]},"pictures":[{"side":"front","w":2400,"h":3600},{"side":"back","w":2400,"h":3600}],`...)
		b = append(b, `"loans":[{"to":"Jena","days":20},{"to":"Kiel","days":45},{"to":"Graz","days":9}]}`...)
	}
	return append(b, `]}`...)
}

func office(sheets int) http.Handler {
	doc := document(sheets)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		http.ServeContent(w, r, "edition.json", time.Time{}, bytes.NewReader(doc))
	})
}
