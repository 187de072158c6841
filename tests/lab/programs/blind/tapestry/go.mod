module example.com/tapestry

go 1.21
