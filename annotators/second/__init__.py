"""Second methods: each finds answers again in packaged media, by another way than the one that wrote them."""
