from dataspace.cli import main

main()
