//! Bodies that come compressed though no one asked for that: some proxies do it.

use std::io::Read as _;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use crate::answer::Problem;

/// The body as it was before it was compressed, of at most `max_bytes`.
pub(crate) fn unpack(
    headers: &HeaderMap,
    body: Vec<u8>,
    max_bytes: usize,
) -> Result<Vec<u8>, Problem> {
    let mut encodings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        encodings.extend(value.split(',').map(|name| name.trim().to_owned()));
    }
    if encodings.len() > 4 {
        return Err(Problem::Wrong(
            "it is compressed more than four times".to_owned(),
        ));
    }
    let mut body = body;
    // The last is the outermost. Some label what they do not compress, so the bytes have a say, too.
    for name in encodings.iter().rev() {
        body = match name.as_str() {
            "" | "identity" => body,
            "gzip" | "x-gzip" if is_gzip(&body) => read(MultiGzDecoder::new(&body[..]), max_bytes)?,
            "deflate" if is_zlib(&body) => read(ZlibDecoder::new(&body[..]), max_bytes)?,
            "gzip" | "x-gzip" | "deflate" => body,
            _ => {
                // As it will be next time.
                return Err(Problem::Wrong(format!(
                    "it is compressed as `{name}`, which was not asked for"
                )));
            }
        };
    }
    if is_gzip(&body) {
        body = read(MultiGzDecoder::new(&body[..]), max_bytes)?;
    }
    Ok(body)
}

fn is_gzip(body: &[u8]) -> bool {
    body.starts_with(&[0x1f, 0x8b])
}

/// The method, deflate, and that the first two bytes are a multiple of 31.
fn is_zlib(body: &[u8]) -> bool {
    matches!(*body, [a, b, ..] if a & 0x0f == 8 && u16::from_be_bytes([a, b]) % 31 == 0)
}

fn read(decoder: impl std::io::Read, max_bytes: usize) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    // One byte more shows that there is more.
    let mut limited = decoder.take(max_bytes as u64 + 1);
    limited
        .read_to_end(&mut body)
        .map_err(|error| Problem::Truncated(format!("it cannot be decompressed: {error}")))?;
    if body.len() > max_bytes {
        return Err(Problem::Wrong(format!(
            "the answer has more than {max_bytes} bytes"
        )));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{
        Compression,
        write::{GzEncoder, ZlibEncoder},
    };

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(encoding: Option<&str>, body: Vec<u8>) -> Result<Vec<u8>, Problem> {
        let mut headers = HeaderMap::new();
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        }
        unpack(&headers, body, 1_000)
    }

    #[test]
    fn compressed_bodies_are_read_and_bombs_are_not() {
        let plain = b"{}".to_vec();
        for (encoding, body) in [
            (None, plain.clone()),
            (Some("identity"), plain.clone()),
            (Some("gzip"), gzip(&plain)),
            (Some("X-GZIP"), gzip(&plain)),
            (Some("deflate"), zlib(&plain)),
            (Some("deflate, gzip"), gzip(&zlib(&plain))),
            // Labelled wrongly.
            (Some("gzip"), plain.clone()),
            (None, gzip(&plain)),
        ] {
            assert_eq!(unpacked(encoding, body), Ok(plain.clone()), "{encoding:?}");
        }
        let bomb = gzip(&vec![b' '; 1_000_000]);
        for (encoding, body, problem) in [
            (Some("gzip"), bomb, "more than 1000 bytes"),
            (Some("gzip"), gzip(&plain)[..12].to_vec(), "decompressed"),
            (Some("br"), plain.clone(), "`br`"),
            (Some("a,b,c,d,e"), plain, "four times"),
        ] {
            let found = unpacked(encoding, body).unwrap_err();
            // Only what was cut off may come whole another time, and every time is paid for.
            let may_pass = matches!(found, Problem::Truncated(_));
            assert_eq!(may_pass, problem == "decompressed", "{found:?}");
            let found = format!("{found:?}");
            assert!(found.contains(problem), "{found}");
        }
    }
}
