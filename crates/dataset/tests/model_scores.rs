//! Scores of LLMs that are to be added to a router, in tables of any program.

use std::{fs, path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Float32Array, Float64Array, Int64Array, RecordBatch,
    StringViewArray, UInt32Array,
};
use dataset::ModelScores;
use ndarray::array;
use parquet::arrow::ArrowWriter;

fn parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let file = fs::File::create(path).expect("created");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a schema");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
}

#[test]
fn tables_of_any_program_give_the_same_scores() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    let ids = || -> ArrayRef { Arc::new(StringViewArray::from(vec!["a", "b"])) };
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0 + f64::EPSILON, 0.0]));
    let decimals = Decimal128Array::from(vec![Some(10), None]).with_precision_and_scale(18, 1);
    let decimals: ArrayRef = Arc::new(decimals.expect("fits"));
    for (name, score, tokens) in [
        (
            "exact",
            Arc::new(Float32Array::from(vec![1.0, 0.0])) as ArrayRef,
            Arc::new(UInt32Array::from(vec![Some(1), None])) as ArrayRef,
        ),
        (
            "pandas",
            floats,
            Arc::new(Int64Array::from(vec![Some(1), None])),
        ),
        (
            "duckdb",
            Arc::new(BooleanArray::from(vec![true, false])),
            decimals,
        ),
    ] {
        let name = format!("{name}.parquet");
        let columns = vec![
            ("id", ids()),
            ("new/score", score),
            ("note", ids()),
            ("new/output_tokens", tokens),
        ];
        parquet(&path(&name), columns);
    }
    fs::write(
        path("t.csv"),
        "\u{feff}id,new/score,note,new/output_tokens\r\na,True,,1\r\nb,0.0,x,\r\n",
    )
    .expect("written");
    fs::write(path("t.jsonl"), "{\"id\": \"a\", \"new/score\": 1, \"new/output_tokens\": 1}\n{\"id\": \"b\", \"new/score\": 0, \"new/output_tokens\": NaN}\n").expect("written");
    for name in [
        "exact.parquet",
        "pandas.parquet",
        "duckdb.parquet",
        "t.csv",
        "t.jsonl",
    ] {
        let table = ModelScores::read(&path(name)).expect(name);
        assert_eq!(
            (table.ids, table.models),
            (vec!["a".to_owned(), "b".to_owned()], vec!["new".to_owned()]),
            "{name}"
        );
        assert_eq!(table.scores, array![[1.0], [0.0]], "{name}");
        let tokens = table.output_tokens.expect(name);
        assert!(tokens[(0, 0)] == 1.0 && tokens[(1, 0)].is_nan(), "{name}");
        assert_eq!(table.cost_usd, None, "{name}");
    }
}

#[test]
fn what_is_no_table_of_scores_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("t.csv");
    for (text, expected) in [
        ("", "has no rows"),
        ("id,new/score\n", "has no rows"),
        ("id,new/cost_usd\na,1\n", "has no column `<model>/score`"),
        ("new/score\n1\n", "has no column `id`"),
        ("id,new/score\na,1\n,1\n", "column `id` of"),
        (
            "id,new/score\na,1\na,0\n",
            "duplicate id `a` in rows 1 and 2",
        ),
        (
            "id,new/score\na,2\n",
            "is 2 in row 1, expected a number in [0, 1]",
        ),
        (
            "id,new/score\na,good\n",
            "is `good` in row 1, expected a number",
        ),
    ] {
        fs::write(&path, text).expect("written");
        let message = ModelScores::read(&path).expect_err(text).to_string();
        assert!(message.contains(expected), "{text:?}: {message}");
    }
}
