use std::fs;

use ndarray::Array1;
use routers::{Mf, MfWeights};
use safetensors::tensor::{Dtype, TensorView};
use saved_routers::{Contents, Error, Model, NewFolder, SavedRouter};

use crate::fixtures::{DIM, check_same_bits, forget_files, numbers, place, record};

const FOLDER: &str = "factorization";
pub(crate) const FILE: &str = "factorization/model.safetensors";

fn mf() -> Mf {
    let row = |seed| -> Array1<f32> { numbers((1, 4), seed).row(0).to_owned() };
    let weights = MfWeights::new(numbers((4, DIM), 1), row(2), row(3));
    Mf::from_weights(weights.unwrap())
}

fn contents() -> Contents {
    Contents::Mf {
        folder: FOLDER.to_owned(),
    }
}

pub(crate) fn write(place: &std::path::Path) {
    let folder = NewFolder::create(place).unwrap();
    folder.write_mf(FOLDER, &mf()).unwrap();
    folder.commit(&record(contents())).unwrap();
}

#[test]
fn a_factorization_predicts_the_same_bits_after_a_round_trip() {
    let (_folder, place) = place();
    write(&place);
    let Model::Mf(found) = SavedRouter::open(&place).unwrap().model else {
        panic!("a matrix factorization")
    };
    assert_eq!(found, mf());
    let queries = numbers((40, DIM), 9);
    let predict = |mf: &Mf| mf.predict(queries.view()).unwrap();
    check_same_bits(&predict(&found), &predict(&mf()));

    let bytes = fs::read(place.join(FILE)).unwrap();
    write(&place);
    assert_eq!(fs::read(place.join(FILE)).unwrap(), bytes);
    // What Python's libraries look for.
    let header = String::from_utf8_lossy(&bytes);
    assert!(header.contains(r#""format":"pt""#), "{header}");
}

#[test]
fn an_intercept_comes_back() {
    let (_folder, place) = place();
    let weights = mf().weights().clone().with_intercept(Some(-0.25));
    let with = Mf::from_weights(weights.unwrap());
    let folder = NewFolder::create(&place).unwrap();
    folder.write_mf(FOLDER, &with).unwrap();
    folder.commit(&record(contents())).unwrap();
    let Model::Mf(found) = SavedRouter::open(&place).unwrap().model else {
        panic!("a matrix factorization")
    };
    assert_eq!(found, with);
    assert_eq!(found.weights().intercept(), Some(-0.25));
    let queries = numbers((3, DIM), 9);
    let logits = |mf: &Mf| mf.logits(queries.view()).unwrap();
    for (with, without) in logits(&found).iter().zip(logits(&mf())) {
        assert!((with - without + 0.25).abs() < 1e-12);
    }
}

#[test]
fn files_of_other_models_are_refused() {
    let zeros = |n: usize| vec![0_u8; 4 * n];
    let (p, w, c) = ("P.weight", "text_proj.weight", "classifier.weight");
    for (tensors, expected) in [
        (
            vec![(p, vec![1, 4]), (w, vec![4, DIM])],
            "has no tensor `classifier.weight`",
        ),
        (
            vec![
                (p, vec![1, 4]),
                (w, vec![4, DIM]),
                (c, vec![1, 4]),
                ("Q.weight", vec![2, 6]),
            ],
            "has a tensor `Q.weight`",
        ),
        (
            vec![
                (p, vec![1, 4]),
                (w, vec![4, DIM]),
                (c, vec![1, 4]),
                ("classifier.bias", vec![2]),
            ],
            "has shape [2], expected [1]",
        ),
        (
            vec![(p, vec![2, 4]), (w, vec![4, DIM]), (c, vec![1, 4])],
            "has shape [2, 4], expected [1, 4]",
        ),
        (
            vec![(p, vec![1, 4]), (w, vec![4, DIM]), (c, vec![1, 5])],
            "has shape [1, 5], expected [1, 4]",
        ),
        (
            vec![(p, vec![1, 4]), (w, vec![4 * DIM]), (c, vec![1, 4])],
            "has shape [64], expected [any, 16]",
        ),
        (
            vec![(p, vec![1, 4]), (w, vec![4, DIM + 1]), (c, vec![1, 4])],
            "has shape [4, 17], expected [any, 16]",
        ),
        // Shapes that fit, but of nothing.
        (
            vec![(p, vec![1, 0]), (w, vec![0, DIM]), (c, vec![1, 0])],
            "holds no usable router",
        ),
    ] {
        let (_folder, place) = place();
        write(&place);
        forget_files(&place);
        let bytes: Vec<Vec<u8>> = tensors
            .iter()
            .map(|(_, shape): &(_, Vec<usize>)| zeros(shape.iter().product()))
            .collect();
        let views = tensors.iter().zip(&bytes).map(|((name, shape), bytes)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
            (*name, view.unwrap())
        });
        safetensors::serialize_to_file(views, &None, &place.join(FILE)).unwrap();
        let error = SavedRouter::open(&place).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    let (_folder, place) = place();
    write(&place);
    forget_files(&place);
    fs::write(place.join(FILE), "no weights").unwrap();
    let error = SavedRouter::open(&place).unwrap_err();
    assert!(matches!(error, Error::Tensors { .. }), "{error}");
    fs::remove_dir_all(place.join(FOLDER)).unwrap();
    let error = SavedRouter::open(&place).unwrap_err();
    assert!(matches!(error, Error::MissingNetwork { .. }), "{error}");
}
