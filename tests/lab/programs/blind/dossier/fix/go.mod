module example.com/dossier

go 1.21
