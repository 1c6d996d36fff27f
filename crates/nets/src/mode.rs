use dataset::Precision;
use encoder::{PrecisionChoice, Result, Runtime, has_bf16_products};
use tch::{Device, Kind};

use crate::find_device;

/// Padded tokens of one batch on one core. From 512 to 4,096 the speed is the same within 3%; 8,192 tokens leave the cache and cost
/// a fifth more.
const MAX_TOKENS_PER_BATCH_CPU: usize = 1_024;
/// Padded tokens of one batch on a GPU, which wants many: 32,768 tokens x 3,072 wide x 4 bytes are 400 MB.
const MAX_TOKENS_PER_BATCH_GPU: usize = 32_768;

/// How libtorch runs a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mode {
    pub(crate) device: Device,
    /// The kind in which attention, linear maps and activations compute.
    pub(crate) product_kind: Kind,
}

impl Mode {
    /// What this machine has for what is asked.
    ///
    /// # Errors
    /// [`encoder::Error::NoDevice`], [`encoder::Error::NoPrecision`].
    pub(crate) fn find(runtime: Runtime) -> Result<Self> {
        let device = find_device(runtime.device)?;
        Ok(Self {
            device,
            product_kind: match precision(PrecisionChoice::Given(runtime.precision), device)? {
                Precision::F32 => Kind::Float,
                Precision::Bf16 => Kind::BFloat16,
            },
        })
    }

    /// Whether each text is computed alone and on one core. In bfloat16 a product's last bit, 1 in 256, may depend on what stands beside a row and on
    /// how many cores share it, which libtorch chooses by the sizes: so a text's result would depend on its batch.
    pub(crate) fn is_one_by_one(self) -> bool {
        self.product_kind != Kind::Float
    }

    /// How many tokens a text is padded to, of at most so many that the network takes. In bfloat16 libtorch's attention takes 360 us for 151 tokens
    /// that are padded to 160, and 620 us as they are (12 heads of 32, with a mask, one core of an Intel Xeon with AMX, libtorch 2.13).
    pub(crate) fn padded(self, n_tokens: usize, max_tokens: usize) -> usize {
        match self.is_one_by_one() {
            true => n_tokens.next_multiple_of(32).min(max_tokens.max(n_tokens)),
            false => n_tokens,
        }
    }

    /// Padded tokens of one batch.
    pub(crate) fn max_tokens_per_batch(self) -> usize {
        match self.device {
            // Every text is a batch of its own, which is never padded.
            _ if self.is_one_by_one() => 1,
            Device::Cpu => MAX_TOKENS_PER_BATCH_CPU,
            _ => MAX_TOKENS_PER_BATCH_GPU,
        }
    }
}

/// The precision for a device: `auto` is bfloat16 on a CPU that has instructions for it.
pub(crate) fn precision(choice: PrecisionChoice, device: Device) -> Result<Precision> {
    let is_cpu = device == Device::Cpu;
    match choice {
        PrecisionChoice::Given(precision @ Precision::Bf16) if !is_cpu => {
            Err(encoder::Error::NoPrecision {
                precision,
                why: "it is for CPUs; on a GPU models run in `f32`",
            })
        }
        choice => Ok(choice.or_bf16_if(is_cpu && has_bf16_products())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bfloat16_is_for_processors() {
        let bf16 = PrecisionChoice::Given(Precision::Bf16);
        assert_eq!(
            precision(bf16, Device::Cpu).expect("a CPU"),
            Precision::Bf16
        );
        let error = precision(bf16, Device::Cuda(0)).expect_err("a GPU");
        assert!(error.to_string().contains("on a GPU"), "{error}");
        let auto = |device| precision(PrecisionChoice::Auto, device).expect("any");
        assert_eq!(auto(Device::Cuda(0)), Precision::F32);
        assert_eq!(auto(Device::Cpu) == Precision::Bf16, has_bf16_products());
    }
}
