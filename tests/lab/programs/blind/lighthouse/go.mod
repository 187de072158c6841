module example.com/lighthouse

go 1.21
