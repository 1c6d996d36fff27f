use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

/// An embedding of norm 1 that follows from SHA-256 of the text: its first 64 bits seed a splitmix64 sequence, values uniform in [-1, 1).
pub(super) fn vector(text: &str, dim: usize) -> Vec<f32> {
    let hash = Sha256::digest(text);
    let mut state = hash
        .iter()
        .take(8)
        .fold(0, |seed, byte| seed << 8 | u64::from(*byte));
    let values: Vec<f64> = (0..dim)
        .map(|_| (splitmix64(&mut state) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0)
        .collect();
    let norm = values.iter().map(|value| value * value).sum::<f64>().sqrt();
    values.iter().map(|value| (value / norm) as f32).collect()
}

pub(super) fn base64(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|v| v.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014.
fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_follow_from_the_text_and_have_norm_1() {
        let one = vector("one", 1_536);
        assert_eq!(one, vector("one", 1_536));
        assert_ne!(one[..8], vector("two", 1_536)[..8]);
        let norm: f32 = one.iter().map(|value| value * value).sum();
        assert!((norm - 1.0).abs() < 1e-5, "{norm}");
    }
}
