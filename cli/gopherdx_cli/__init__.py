"""The commands of gopherdx. They parse and call; the library judges and renders."""
