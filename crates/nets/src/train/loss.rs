use encoder::ProblemType;
use ndarray::ArrayView2;
use tch::{Device, Kind, Reduction, TchError, Tensor};

/// What a batch's outputs are compared with: the mean loss over the targets that are known.
///
/// ```text
/// sum of known  loss(output, target) / number of known
///   multi_label_classification   max(z, 0) - z y + log(1 + exp(-|z|))     BCEWithLogitsLoss
///   regression                   (z - y)^2                                MSELoss
/// ```
#[derive(Debug)]
pub(super) struct Targets {
    /// float32, `(batch, labels)`; 0 where unknown.
    values: Tensor,
    /// float32, `(batch, labels)`; 1 where known, over the number of known.
    weights: Tensor,
}

impl Targets {
    /// Takes a row after the other, NaN being unknown, of which at least one is known.
    pub(super) fn new(values: &[f32], n_labels: usize, device: Device) -> Result<Self, TchError> {
        let n_known = values.iter().filter(|value| !value.is_nan()).count();
        let weight = 1. / n_known as f32;
        let weights: Vec<f32> = values
            .iter()
            .map(|value| if value.is_nan() { 0. } else { weight })
            .collect();
        let values: Vec<f32> = values
            .iter()
            .map(|value| if value.is_nan() { 0. } else { *value })
            .collect();
        let tensor = |values: &[f32]| {
            Tensor::f_from_slice(values)?
                .f_view([-1, n_labels as i64])?
                .f_to_device(device)
        };
        Ok(Self {
            values: tensor(&values)?,
            weights: tensor(&weights)?,
        })
    }

    pub(super) fn loss(
        &self,
        outputs: &Tensor,
        problem_type: ProblemType,
    ) -> Result<Tensor, TchError> {
        let each = match problem_type {
            ProblemType::MultiLabelClassification => outputs
                .f_binary_cross_entropy_with_logits::<Tensor>(
                    &self.values,
                    None,
                    None,
                    Reduction::None,
                )?,
            ProblemType::Regression => outputs.f_mse_loss(&self.values, Reduction::None)?,
        };
        each.f_mul(&self.weights)?.f_sum(Kind::Float)
    }
}

/// The same mean outside of training, summed in float64.
pub(super) fn mean_loss(
    outputs: ArrayView2<'_, f32>,
    targets: ArrayView2<'_, f32>,
    problem_type: ProblemType,
) -> f64 {
    let each = |(output, target): (&f32, &f32)| {
        let (z, y) = (f64::from(*output), f64::from(*target));
        match problem_type {
            ProblemType::MultiLabelClassification => z.max(0.) - z * y + (-z.abs()).exp().ln_1p(),
            ProblemType::Regression => (z - y).powi(2),
        }
    };
    let known = outputs
        .iter()
        .zip(&targets)
        .filter(|(_, target)| !target.is_nan());
    let n_known = known.clone().count();
    known.map(each).sum::<f64>() / n_known as f64
}

#[cfg(test)]
mod tests {
    use std::f64::consts::LN_2;

    use ndarray::arr2;

    use super::*;

    /// float32 against float64 on values of about 1.
    const SAME: f64 = 1e-6;

    #[test]
    fn unknown_targets_do_not_count() {
        let outputs = arr2(&[[0.5, -60., 2.], [-1., 60., 0.]]);
        let all = arr2(&[[1., 0., 0.25], [0., 1., 0.5]]);
        let some = arr2(&[[1., f32::NAN, 0.25], [f32::NAN, f32::NAN, 0.5]]);
        for (problem_type, targets, expected) in [
            // -log sigmoid(.5) = .474077, log(1 + e^2) - .5 = 1.626928, log(1 + e^-1) = .313262, log 2 = .693147, two of e^-60.
            (
                ProblemType::MultiLabelClassification,
                &all,
                (0.474_077 + 1.626_928 + 0.313_262 + LN_2) / 6.,
            ),
            (
                ProblemType::MultiLabelClassification,
                &some,
                (0.474_077 + 1.626_928 + LN_2) / 3.,
            ),
            // .25 + 3600 + 3.0625 + 1 + 3481 + .25
            (ProblemType::Regression, &all, 7_085.562_5 / 6.),
            (ProblemType::Regression, &some, 3.562_5 / 3.),
        ] {
            let tensor = Tensor::from_slice(outputs.as_slice().expect("in one piece"));
            let tensor = tensor.view([2, 3]).set_requires_grad(true);
            let values = targets.as_slice().expect("in one piece");
            let loss = Targets::new(values, 3, Device::Cpu)
                .and_then(|targets| targets.loss(&tensor, problem_type))
                .expect("computed");
            let found = loss.double_value(&[]);
            assert!((found / expected - 1.).abs() < SAME, "{found} {expected}");
            let outside = mean_loss(outputs.view(), targets.view(), problem_type);
            assert!(
                (outside / expected - 1.).abs() < SAME,
                "{outside} {expected}"
            );

            loss.backward();
            for (gradient, target) in Vec::<f32>::try_from(tensor.grad().view(-1))
                .expect("float32")
                .iter()
                .zip(values)
            {
                assert!(gradient.is_finite());
                assert!(!target.is_nan() || *gradient == 0., "{gradient}");
            }
        }
    }
}
