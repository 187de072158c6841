module example.com/mailroom

go 1.21
