module example.com/jackets

go 1.21
