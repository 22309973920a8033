"""Reports and masks for others to read: text, HTML, pictures, DICOM and FHIR."""
