"""`recon` with one defect each, by what is broken."""
