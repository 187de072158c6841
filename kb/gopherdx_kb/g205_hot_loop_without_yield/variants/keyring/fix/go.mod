module example.com/keyring

go 1.22
