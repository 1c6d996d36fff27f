//! A client for any OpenAI-compatible `/embeddings` endpoint.
