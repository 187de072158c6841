module example.com/wardrobe

go 1.21
