"""What a person is given: access and portability as PDF, CSV and XLSX, behind links that expire."""
