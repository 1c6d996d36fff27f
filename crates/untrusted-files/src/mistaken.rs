use std::fmt;

/// What a file turns out to be instead of what its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistaken {
    /// The few lines that Git leaves in place of a file in large file storage.
    LfsPointer,
    /// A page that a server sent instead of the file: a login, a consent, "not found".
    WebPage,
    /// What storage servers send instead of the file: "access denied", "no such key".
    XmlPage,
    /// Compressed by gzip.
    Gzip,
    /// Compressed by bzip2.
    Bzip2,
    /// Compressed by xz.
    Xz,
    /// Compressed by zstd.
    Zstd,
    /// A ZIP archive, which an Excel sheet is too.
    Zip,
}

impl Mistaken {
    /// How many first bytes [`Mistaken::recognize`] needs at most.
    pub const N_BYTES: usize = 512;

    /// Recognizes a file by its first bytes; none for anything else, broken files of the right kind too.
    pub fn recognize(first_bytes: &[u8]) -> Option<Self> {
        let bytes = &first_bytes[..first_bytes.len().min(Self::N_BYTES)];
        for (start, found) in [
            (&b"\x1f\x8b"[..], Self::Gzip),
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
            (b"BZh", Self::Bzip2),
            (b"\xfd7zXZ\x00", Self::Xz),
            (b"PK\x03\x04", Self::Zip),
        ] {
            if bytes.starts_with(start) {
                return Some(found);
            }
        }
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if text.starts_with(b"version https://git-lfs.github.com/") {
            return Some(Self::LfsPointer);
        }
        let text = text.trim_ascii_start().to_ascii_lowercase();
        if text.starts_with(b"<?xml") {
            return Some(Self::XmlPage);
        }
        // A browser that saves a page puts a comment before it.
        let page = [&b"<!doctype html"[..], b"<html", b"<!-- "];
        let is_page = page.iter().any(|start| text.starts_with(start));
        is_page.then_some(Self::WebPage)
    }
}

/// What it is and how to get the file, as the end of a sentence: "`x.parquet` is ...".
impl fmt::Display for Mistaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LfsPointer => {
                "a Git LFS pointer and not the file itself; fetch the file with `git lfs pull`, or from its download address"
            }
            Self::WebPage => {
                "a web page (HTML) and not the file itself; a server may have sent a login or an error page under its name"
            }
            Self::XmlPage => {
                "an XML document and not the file itself; a storage server may have sent an error under its name"
            }
            Self::Bzip2 => "compressed by bzip2; decompress it first (`bunzip2`)",
            Self::Xz => "compressed by xz; decompress it first (`unxz`)",
            Self::Gzip => "compressed by gzip; decompress it first (`gunzip`)",
            Self::Zstd => "compressed by zstd; decompress it first (`unzstd`)",
            Self::Zip => "a ZIP archive (an Excel sheet is one too); unpack or export it first",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_under_the_wrong_name_is_recognized() {
        for (bytes, expected) in [
            (
                &b"version https://git-lfs.github.com/spec/v1\noid sha256:0"[..],
                Some(Mistaken::LfsPointer),
            ),
            (
                b"\xef\xbb\xbf\n <!DOCTYPE html><html>",
                Some(Mistaken::WebPage),
            ),
            (b"<HTML lang=en>", Some(Mistaken::WebPage)),
            (
                b"<!-- saved from url=(0021)https://example.com -->\n<html>",
                Some(Mistaken::WebPage),
            ),
            (
                b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
                Some(Mistaken::XmlPage),
            ),
            (b"\x1f\x8b\x08", Some(Mistaken::Gzip)),
            (b"BZh91AY", Some(Mistaken::Bzip2)),
            (b"\xfd7zXZ\x00\x00", Some(Mistaken::Xz)),
            (b"\x28\xb5\x2f\xfd", Some(Mistaken::Zstd)),
            (b"PK\x03\x04", Some(Mistaken::Zip)),
            (b"PAR1", None),
            (b"{\"prompt\": \"<html>\"}", None),
            (b"", None),
        ] {
            assert_eq!(Mistaken::recognize(bytes), expected, "{bytes:?}");
        }
    }
}
