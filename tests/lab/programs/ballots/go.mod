module example.com/ballots

go 1.21
