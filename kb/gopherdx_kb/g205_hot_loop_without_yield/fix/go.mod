module example.com/matcher

go 1.21
