module example.com/folds

go 1.21
