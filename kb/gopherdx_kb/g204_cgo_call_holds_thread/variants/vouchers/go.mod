module example.com/vouchers

go 1.21
