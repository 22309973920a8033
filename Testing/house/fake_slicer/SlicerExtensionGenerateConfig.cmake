fake_record("config=${PROJECT_NAME}")
