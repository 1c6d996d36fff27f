use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use ndarray::{Array2, Axis, concatenate};

use crate::{
    DatasetDir, DatasetInfo, Error, EstimatedPropensities, Field, KeptColumns, Part, Result,
    TablePropensities, check_propensities,
    kept_columns::KEPT_COLUMNS,
    model_columns::{self, Place, Values, table_schema},
    table::{TableReader, TableWriter, check_unique_ids},
};

const TEXTS: [&str; 3] = ["id", "task", "prompt"];

/// Rows of `train.parquet` or `test.parquet`: prompts, and every LLM's score and cost on them.
///
/// ```text
/// id, task, prompt            string, not null; ids are unique
/// <model>/score               float32 in [0, 1]
/// <model>/input_tokens        uint32, where any LLM has them
/// <model>/output_tokens       uint32, where any LLM has them
/// <model>/cost_usd            float64
/// <model>/propensity          float64 in (0, 1], where any LLM has one; known wherever the score is
/// <kept column>               string, not null, of any other name; the footer's `carrot.kept-columns` lists them as a JSON array
/// ```
///
/// Other columns are passed over. In the matrices, of shape `(n_prompts, n_models)`, NaN stands for null.
#[derive(Debug, Clone, PartialEq)]
pub struct PartTable {
    /// What names a prompt.
    pub ids: Vec<String>,
    /// The benchmark or family that a prompt belongs to.
    pub tasks: Vec<String>,
    /// What an LLM is asked.
    pub prompts: Vec<String>,
    /// The LLMs, in column order.
    pub models: Vec<String>,
    /// How good each answer was, in [0, 1].
    pub scores: Array2<f32>,
    /// Tokens of each prompt under each LLM's tokenizer.
    pub input_tokens: Option<Array2<f64>>,
    /// Tokens of each answer.
    pub output_tokens: Option<Array2<f64>>,
    /// What each call cost, in US dollars.
    pub cost_usd: Array2<f64>,
    /// The probability with which each LLM was asked, and so with which its score is known, where the source says it, see
    /// [`crate::check_propensities`], or where it was estimated, see [`PartTable::read_weighed`]. Only what the source says is written.
    pub propensities: Option<TablePropensities>,
    /// Other columns of the source that were kept.
    pub kept: KeptColumns,
}

impl PartTable {
    /// A kept column by name; the tasks are one, named `task`.
    pub fn kept(&self, name: &str) -> Option<&[String]> {
        match name {
            "task" => Some(&self.tasks),
            _ => self.kept.get(name),
        }
    }

    /// Number of rows.
    pub fn n_prompts(&self) -> usize {
        self.ids.len()
    }

    /// Reads a part of a data set, and refuses one that is not what the data set's description says.
    ///
    /// # Errors
    /// [`Error::OtherRun`] when it has other rows, other LLMs or another hash than `info` says; and as for [`PartTable::read`].
    pub fn read_part(dir: &DatasetDir, info: &DatasetInfo, part: Part) -> Result<Self> {
        let path = dir.split(part);
        // Rows and LLMs before the hash, as they tell people more.
        let table = Self::read(&path)?;
        let (n_rows, models) = (info.n_rows(part), info.model_names());
        let what = if table.n_prompts() != n_rows {
            format!("{} rows instead of {n_rows}", table.n_prompts())
        } else if table.models != models {
            format!("LLMs {:?} instead of {models:?}", table.models)
        } else {
            info.check_hash(dir, part)?;
            return Ok(table);
        };
        Err(Error::OtherRun {
            path,
            info: dir.info(),
            what,
        })
    }

    /// The same with the propensities that train-and-infer estimated, where the part is of a log that does not say them and they belong to the parts
    /// as they are: for whoever judges by the part.
    ///
    /// # Errors
    /// As for [`PartTable::read_part`] and [`EstimatedPropensities::of_dataset`].
    pub fn read_weighed(dir: &DatasetDir, info: &DatasetInfo, part: Part) -> Result<Self> {
        let mut table = Self::read_part(dir, info, part)?;
        if table.propensities.is_none()
            && let Some(estimated) = EstimatedPropensities::of_dataset(dir, info)?
        {
            table.propensities = Some(estimated.of_part(dir, part, &table)?);
        }
        Ok(table)
    }

    /// The LLM that was asked for each prompt, of a log with one answer per prompt, whose score and cost are known; `None` of any other table. A
    /// prompt without any answer has none.
    pub fn asked(&self) -> Option<Vec<Option<usize>>> {
        let mut seen = vec![false; self.models.len()];
        let mut asked = Vec::with_capacity(self.n_prompts());
        for (scores, costs) in self.scores.outer_iter().zip(self.cost_usd.outer_iter()) {
            let both = scores.iter().zip(costs).enumerate();
            let mut known = both.filter(|(_, (score, cost))| score.is_finite() && cost.is_finite());
            let first = known.next().map(|(model_idx, _)| model_idx);
            if known.next().is_some() {
                return None;
            }
            if let Some(model_idx) = first {
                seen[model_idx] = true;
            }
            asked.push(first);
        }
        // With one LLM there was nothing to choose.
        (seen.iter().filter(|seen| **seen).count() > 1).then_some(asked)
    }

    /// For how many prompts each answer stands, where the table says it: one over its propensity; 0 where there is none.
    pub fn inverse_propensities(&self) -> Option<Array2<f64>> {
        let propensities = &self.propensities.as_ref()?.values;
        let weight = |at: (usize, usize)| {
            let is_known = self.scores[at].is_finite() && self.cost_usd[at].is_finite();
            match is_known {
                true => 1.0 / propensities[at],
                false => 0.0,
            }
        };
        Some(Array2::from_shape_fn(propensities.dim(), weight))
    }

    /// Reads a whole split. Values are copied once, from the decoded Parquet pages to their place.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Table`] or [`Error::OverBudget`] for the file; [`Error::MissingColumn`], [`Error::Table`]
    /// (a column of another type, or two of one name), [`Error::NullValue`], [`Error::OutOfRange`], [`Error::UnknownPropensity`],
    /// [`Error::DuplicateId`] or [`Error::Empty`] for what it holds.
    pub fn read(path: &Path) -> Result<Self> {
        let reader = TableReader::open_filled(path)?;
        let found = model_columns::find(&reader)?;
        let kept = reader.key_value(KEPT_COLUMNS).map(|names| {
            KeptColumns::of_footer(names).map_err(|what| Error::KeptColumnsFooter {
                path: path.to_owned(),
                what,
            })
        });
        let kept = kept.transpose()?.unwrap_or_default();
        found.check_size(&reader, TEXTS.len() + kept.names().count())?;
        let shape @ (n_rows, _) = (reader.n_rows(), found.models.len());
        let mut propensities = found.unknown(Field::Propensity, n_rows);
        let mut split = Self {
            ids: Vec::with_capacity(n_rows),
            tasks: Vec::with_capacity(n_rows),
            prompts: Vec::with_capacity(n_rows),
            scores: Array2::from_elem(shape, f32::NAN),
            input_tokens: found.unknown(Field::InputTokens, n_rows),
            output_tokens: found.unknown(Field::OutputTokens, n_rows),
            cost_usd: Array2::from_elem(shape, f64::NAN),
            propensities: None,
            models: found.models,
            kept,
        };
        let mut places = vec![(Field::Score, Place::F32(&mut split.scores))];
        places.extend(model_columns::known_places([
            (Field::InputTokens, &mut split.input_tokens),
            (Field::OutputTokens, &mut split.output_tokens),
        ]));
        places.push((Field::CostUsd, Place::F64(&mut split.cost_usd)));
        places.extend(model_columns::known_places([(
            Field::Propensity,
            &mut propensities,
        )]));
        let [id, task, prompt] = TEXTS;
        let mut texts = vec![
            (id, &mut split.ids),
            (task, &mut split.tasks),
            (prompt, &mut split.prompts),
        ];
        texts.extend(split.kept.places());
        model_columns::read(reader, &mut texts, &split.models, &mut places)?;
        split.propensities = propensities.map(TablePropensities::recorded);
        // Embeddings and predictions are matched to prompts by id, so two prompts with one id could swap theirs unseen.
        check_unique_ids(path, &split.ids)?;
        split.check_values(path)?;
        Ok(split)
    }

    /// Writes the split atomically.
    ///
    /// # Errors
    /// [`crate::Error::Io`], [`crate::Error::Parquet`], or what [`PartTable::read`] would refuse.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut writer = PartWriter::create(path, self)?;
        writer.write(self)?;
        writer.finish()?;
        Ok(())
    }

    /// Some of the rows, in the order asked for.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn select(&self, rows: &[usize]) -> Self {
        let texts =
            |all: &[String]| -> Vec<String> { rows.iter().map(|&row| all[row].clone()).collect() };
        let of = |all: &Array2<f64>| all.select(Axis(0), rows);
        Self {
            ids: texts(&self.ids),
            tasks: texts(&self.tasks),
            prompts: texts(&self.prompts),
            models: self.models.clone(),
            scores: self.scores.select(Axis(0), rows),
            input_tokens: self.input_tokens.as_ref().map(of),
            output_tokens: self.output_tokens.as_ref().map(of),
            cost_usd: of(&self.cost_usd),
            propensities: self.propensities.as_ref().map(|it| it.select(rows)),
            kept: self.kept.map(texts),
        }
    }

    /// The rows of this part, then those of another part of the same data set. Token counts and propensities that only one of them has are NaN
    /// for the other, a kept column is an empty text.
    ///
    /// # Errors
    /// [`Error::Shape`] when the two differ in their LLMs.
    pub fn concat(&self, other: &Self) -> Result<Self> {
        if self.models != other.models {
            return Err(Error::Shape {
                what: "the other part's LLMs",
                expected: (1, self.models.len()),
                found: (1, other.models.len()),
            });
        }
        let texts = |first: &[String], second: &[String]| [first, second].concat();
        let optional = |first: &Option<Array2<f64>>, second: &Option<Array2<f64>>| {
            let unknown = |part: &Self| Array2::from_elem(part.scores.dim(), f64::NAN);
            (first.is_some() || second.is_some()).then(|| {
                let first = first.clone().unwrap_or_else(|| unknown(self));
                let second = second.clone().unwrap_or_else(|| unknown(other));
                stack(&first, &second)
            })
        };
        Ok(Self {
            ids: texts(&self.ids, &other.ids),
            tasks: texts(&self.tasks, &other.tasks),
            prompts: texts(&self.prompts, &other.prompts),
            models: self.models.clone(),
            scores: stack(&self.scores, &other.scores),
            input_tokens: optional(&self.input_tokens, &other.input_tokens),
            output_tokens: optional(&self.output_tokens, &other.output_tokens),
            cost_usd: stack(&self.cost_usd, &other.cost_usd),
            propensities: self.concat_propensities(other),
            kept: self.concat_kept(other)?,
        })
    }

    fn concat_propensities(&self, other: &Self) -> Option<TablePropensities> {
        if self.propensities.is_none() && other.propensities.is_none() {
            return None;
        }
        let values = |part: &Self| match &part.propensities {
            Some(propensities) => propensities.values.clone(),
            None => Array2::from_elem(part.scores.dim(), f64::NAN),
        };
        let are_estimated = |part: &Self| {
            part.propensities
                .as_ref()
                .is_some_and(|it| it.are_estimated)
        };
        Some(TablePropensities {
            values: stack(&values(self), &values(other)),
            are_estimated: are_estimated(self) || are_estimated(other),
        })
    }

    /// What the source says.
    fn recorded_propensities(&self) -> Option<&Array2<f64>> {
        let recorded = self.propensities.as_ref().filter(|it| !it.are_estimated);
        recorded.map(|it| &it.values)
    }

    fn concat_kept(&self, other: &Self) -> Result<KeptColumns> {
        let names: BTreeSet<&str> = self.kept.names().chain(other.kept.names()).collect();
        let mut kept = KeptColumns::default();
        for name in names {
            let column = |part: &Self| match part.kept.get(name) {
                Some(values) => values.to_vec(),
                None => vec![String::new(); part.n_prompts()],
            };
            kept.insert(name, [column(self), column(other)].concat())?;
        }
        Ok(kept)
    }

    /// The matrices with their fields, in file order.
    fn values(&self) -> Vec<(Field, Values<'_>)> {
        let mut values = vec![(Field::Score, Values::F32(&self.scores))];
        for (field, tokens) in [
            (Field::InputTokens, &self.input_tokens),
            (Field::OutputTokens, &self.output_tokens),
        ] {
            values.extend(
                tokens
                    .as_ref()
                    .map(|tokens| (field, Values::Counts(tokens))),
            );
        }
        values.push((Field::CostUsd, Values::F64(&self.cost_usd)));
        let propensities = self.recorded_propensities();
        values.extend(propensities.map(|values| (Field::Propensity, Values::F64(values))));
        values
    }

    fn check_values(&self, path: &Path) -> Result<()> {
        model_columns::check_ranges(path, &self.models, &self.values())?;
        let Some(propensities) = self.recorded_propensities() else {
            return Ok(());
        };
        for (m, model) in self.models.iter().enumerate() {
            let scores = self.scores.column(m).into_iter();
            let rows = scores.zip(propensities.column(m)).enumerate();
            let rows = rows.map(|(i, (&score, &of_score))| (i + 1, f64::from(score), of_score));
            check_propensities(path, model, rows)?;
        }
        Ok(())
    }

    fn check_shapes(&self) -> Result<()> {
        let expected = (self.ids.len(), self.models.len());
        let shapes = [
            ("tasks", (self.tasks.len(), expected.1)),
            ("prompts", (self.prompts.len(), expected.1)),
            ("scores", self.scores.dim()),
            (
                "input tokens",
                self.input_tokens.as_ref().map_or(expected, Array2::dim),
            ),
            (
                "output tokens",
                self.output_tokens.as_ref().map_or(expected, Array2::dim),
            ),
            ("costs", self.cost_usd.dim()),
            (
                "propensities",
                (self.propensities.as_ref()).map_or(expected, |it| it.values.dim()),
            ),
        ];
        model_columns::check_shapes(expected, shapes)?;
        let kept = self.kept.iter();
        let mut kept = kept.map(|(_, values)| ("kept columns", (values.len(), expected.1)));
        kept.try_for_each(|shape| model_columns::check_shapes(expected, [shape]))
    }

    /// The columns of text, in file order before those of the LLMs.
    fn texts(&self) -> Vec<(&str, &[String])> {
        let [id, task, prompt] = TEXTS;
        let mut texts = vec![
            (id, &self.ids[..]),
            (task, &self.tasks),
            (prompt, &self.prompts),
        ];
        texts.extend(self.kept.iter());
        texts
    }
}

fn stack<T: Clone>(first: &Array2<T>, second: &Array2<T>) -> Array2<T> {
    concatenate(Axis(0), &[first.view(), second.view()])
        .expect("a column for each LLM, as `PartTable::check_shapes` asks for")
}

/// Writes a split piece by piece, for tables that should not sit in memory. Duplicate ids are not detected here, only by the reader.
pub struct PartWriter {
    table: TableWriter,
    path: PathBuf,
    /// Names of the kept columns.
    kept: Vec<String>,
}

impl PartWriter {
    /// Opens the file; `like` says which LLMs, which token columns, whether propensities, and which kept columns there are.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Parquet`].
    pub fn create(path: &Path, like: &PartTable) -> Result<Self> {
        let texts: Vec<&str> = like.texts().iter().map(|&(name, _)| name).collect();
        let schema = table_schema(&texts, &like.models, &like.values());
        let footer: Vec<_> = like.kept.footer().into_iter().collect();
        Ok(Self {
            table: TableWriter::create(path, schema, &footer)?,
            path: path.to_owned(),
            kept: like.kept.names().map(str::to_owned).collect(),
        })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// [`crate::Error::Shape`], [`crate::Error::OutOfRange`], [`crate::Error::UnknownPropensity`] or [`crate::Error::LongText`] for rows that
    /// no reader would take; [`crate::Error::Parquet`] when writing fails.
    pub fn write(&mut self, rows: &PartTable) -> Result<()> {
        rows.check_shapes()?;
        rows.check_values(&self.path)?;
        if !rows.kept.names().eq(self.kept.iter().map(String::as_str)) {
            return Err(Error::Shape {
                what: "kept columns",
                expected: (rows.n_prompts(), self.kept.len()),
                found: (rows.n_prompts(), rows.kept.names().count()),
            });
        }
        model_columns::write(
            &mut self.table,
            &rows.texts(),
            rows.models.len(),
            &rows.values(),
        )
    }

    /// Completes the file and gives it its name. Returns the number of rows.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Parquet`].
    pub fn finish(self) -> Result<usize> {
        self.table.finish()
    }
}
