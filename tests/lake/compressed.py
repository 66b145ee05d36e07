"""What GnuPG 2.4.7 makes of a CSV by default, compressed inside the encryption; and the key of that one message.

Made by ``gpg --sign --encrypt --armor``: signed by the same key that it is encrypted to. The key is nobody's.
"""

KEY = """-----BEGIN PGP PRIVATE KEY BLOCK-----

lFgEXgvhABYJKwYBBAHaRw8BAQdA33JyhqJrTuVwn73PCWkuyhs4xsuONfWH8NQF
LtFde/kAAP9v+eJms3Y52q5/19F+ky3KhKBRGnFXfvrZIMjYYfrAihPVtBRjb21w
cmVzc2VkQHguZXhhbXBsZYiQBBMWCgA4FiEEL65mt7hjh6SkXykgvSnZwPwd5EQF
Al4L4QACGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQvSnZwPwd5EQ68gD9
HdYxbZoTao7/jDB0qH5mtIeo92AOVuZfU5zuo8P4GBsA/Aie7ciEyhGhXrLRq7Xj
o/E1rxU2vZ3Qnm+U0UazPKkLnF0EXgvhABIKKwYBBAGXVQEFAQEHQF0HvOd0uDx3
qsXE0c9vZWwcfSZw+T9Za8b20LP+sfo9AwEIBwAA/26d6IUyPvAQah4/i5sg6ER/
N7Kp1+ec995J9f9gAtaAElWIeAQYFgoAIBYhBC+uZre4Y4ekpF8pIL0p2cD8HeRE
BQJeC+EAAhsMAAoJEL0p2cD8HeREeooBAKVg2boGP7YfAXiuPEd6Kcyfrqaoz/Vy
UV1C3fGvA3E2AQCdZYCClqGa8OcJKcH/QkkTqNyedKNZM4Ea/THyZ/deCA==
=nQu7
-----END PGP PRIVATE KEY BLOCK-----
"""
MESSAGE = b"""-----BEGIN PGP MESSAGE-----

hF4DNBLudexUqzwSAQdAsMxxjTH1zhNKXWD55XniJ1+cO+naqHVW0poo2uzwYB4w
lqHtDCZiqB5dZSdLMmLN6yM63782itG1DvYOzy8d4j49sG4tBnIfgvZgwhFfiBiw
0sASAX4rO+cSZe9bl9Ozbr9mJQs+u/zhxxlbFKoz9qbzGnZ3LLfLC8wgsDRuoJdD
rMvqaugHmE1rGopqayFqIznvJLLJqYToh8MPcSfOz8UN4707SYfDoSPZvDlN8DM2
Uu6kkCHVNXFBeiuMaGbUJzFVEk/mL7p1Einm2N01bDx4dS1omrEbsuekhNIBqowm
1Pu55oVF+r2nY07509EkxkrwzPuGqBFmeCg+w3Afo6Yx/6lau6XyZH63b6Iwe2OK
glqv33SN3krnohCwTKg0RF46/Zti
=75ZB
-----END PGP MESSAGE-----
"""
