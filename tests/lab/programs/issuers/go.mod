module example.com/issuers

go 1.21
