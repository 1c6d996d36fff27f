//! The names of files: which product made a file, and which version of it.

use crate::settings::product::{METRICS_DIFFERENCES, Product, SPIDER_BARS};

/// The product that writes files of this stem, and the version: `NAME` or `NAME-VERSION`. `of_paper` gives a product's name in the paper, or its
/// own name where the paper has none for this data set.
pub(crate) fn product(
    stem: &str,
    of_paper: impl Fn(Product) -> String,
) -> Option<(Product, Option<String>)> {
    let of_name = |product: Product, name: &str| {
        let rest = stem.strip_prefix(name)?;
        match rest.strip_prefix('-') {
            Some(version) => Some((product, Some(version.to_owned()))),
            // The whole name: `vs_rb_zero` begins with `vs_rb`, which is another product.
            None => rest.is_empty().then_some((product, None)),
        }
    };
    Product::ALL.into_iter().find_map(|product| {
        let mut names = names(product, of_paper(product)).into_iter();
        names.find_map(|name| of_name(product, &name))
    })
}

/// All names that files of a product have.
fn names(product: Product, of_paper: String) -> Vec<String> {
    let mut names = vec![product.name().to_owned(), of_paper];
    match product {
        Product::Spider => {
            let bars: Vec<String> = names
                .iter()
                .map(|name| format!("{name}{SPIDER_BARS}"))
                .collect();
            names.extend(bars);
        }
        Product::MetricsTable => names.push(METRICS_DIFFERENCES.to_owned()),
        _ => {}
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_stem_names_its_product() {
        let settings = Settings::read(None).expect("the built-in ones");
        for (stem, expected) in [
            ("accuracy_cost", Some((Product::AccuracyCost, None))),
            ("routerbench_vs_rb", Some((Product::VsRb, None))),
            ("vs_rb", Some((Product::VsRb, None))),
            (
                "vs_rb_zero-reference",
                Some((Product::VsRbZero, Some("reference"))),
            ),
            (
                "embedding_dim-minilm",
                Some((Product::EmbeddingDim, Some("minilm"))),
            ),
            ("table", Some((Product::Table, None))),
            ("spider_bars", Some((Product::Spider, None))),
            (
                "spider_bars-reference",
                Some((Product::Spider, Some("reference"))),
            ),
            ("sprout_vs_rb_zero", None),
            ("metrics_differences", Some((Product::MetricsTable, None))),
            ("tables", None),
            ("notes", None),
        ] {
            let found = product(stem, |product| settings.stem(product, "routerbench"));
            let expected = expected.map(|(product, version)| (product, version.map(str::to_owned)));
            assert_eq!(found, expected, "{stem}");
        }
    }
}
