module example.com/reels

go 1.21
