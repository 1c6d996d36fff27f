use std::fs;

use nets::{Error, Mf, MfParams};

use crate::{fit, params, rows};

#[test]
fn a_router_comes_back_from_its_folder() {
    let (embeddings, labels) = rows(50);
    let (mf, _) = fit(&params(), embeddings.view(), &labels).unwrap();
    let folder = tempfile::tempdir().unwrap();
    mf.save(folder.path()).unwrap();
    assert_eq!(Mf::load(folder.path()).unwrap(), mf);
    let bytes = fs::read(folder.path().join("model.safetensors")).unwrap();
    mf.save(folder.path()).unwrap();
    assert_eq!(
        fs::read(folder.path().join("model.safetensors")).unwrap(),
        bytes
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    // A file stands where the folder should.
    let blocked = folder.path().join("model.safetensors");
    let error = mf.save(&blocked).unwrap_err();
    assert!(matches!(error, Error::Dataset(_)), "{error}");
    assert_eq!(fs::read(blocked).unwrap(), bytes);

    let nowhere = folder.path().join("nowhere");
    let error = Mf::load(&nowhere).unwrap_err();
    assert!(
        matches!(
            error,
            Error::MissingFile {
                file: "model.safetensors",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn files_of_other_models_are_refused() {
    let zeros = |name: &'static str, shape: &[i64]| {
        (
            name,
            tch::Tensor::zeros(shape, (tch::Kind::Float, tch::Device::Cpu)),
        )
    };
    let (p, w, c) = ("P.weight", "text_proj.weight", "classifier.weight");
    for (tensors, expected) in [
        (
            vec![zeros(p, &[1, 4]), zeros(w, &[4, 6])],
            "has no weight `classifier.weight`",
        ),
        (
            vec![
                zeros(p, &[1, 4]),
                zeros(w, &[4, 6]),
                zeros(c, &[1, 4]),
                zeros("Q.weight", &[2, 6]),
            ],
            "holds a weight `Q.weight`",
        ),
        (
            vec![zeros(p, &[2, 4]), zeros(w, &[4, 6]), zeros(c, &[1, 4])],
            "has shape [2, 4], expected [1, 4]",
        ),
        (
            vec![zeros(p, &[1, 4]), zeros(w, &[4, 6]), zeros(c, &[1, 5])],
            "has shape [1, 5], expected [1, 4]",
        ),
        (
            vec![zeros(p, &[1, 4]), zeros(w, &[24]), zeros(c, &[1, 4])],
            "has shape [24], expected [4, 24]",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        tch::Tensor::write_safetensors(&tensors, folder.path().join("model.safetensors")).unwrap();
        let error = Mf::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    // Shapes that fit, but of nothing.
    let empty = [zeros(p, &[1, 0]), zeros(w, &[0, 6]), zeros(c, &[1, 0])];
    tch::Tensor::write_safetensors(&empty, folder.path().join("model.safetensors")).unwrap();
    let error = Mf::load(folder.path()).unwrap_err();
    let Error::UnusableWeights { source, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(
        source.to_string(),
        "the router's weight `projection` is empty"
    );

    fs::write(folder.path().join("model.safetensors"), "no weights").unwrap();
    let error = Mf::load(folder.path()).unwrap_err();
    assert!(matches!(error, Error::Weights { .. }), "{error}");
}

#[test]
fn settings_are_read_as_they_are_written() {
    let text = toml::to_string(&params()).unwrap();
    assert_eq!(toml::from_str::<MfParams>(&text).unwrap(), params());
    assert!(toml::from_str::<MfParams>(&format!("{text}alpha = 0.1\n")).is_err());
    assert!(toml::from_str::<MfParams>(&text.replace("dim = 8\n", "")).is_err());
}
