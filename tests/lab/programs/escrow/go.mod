module example.com/escrow

go 1.21
