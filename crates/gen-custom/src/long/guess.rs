use super::Role;

/// The `--long` that a table seems to need: it has no column of any LLM, but one that names LLMs.
pub(crate) fn guess(names: &[String]) -> Option<String> {
    let find = |role: Role| {
        let mut usual = usual(role).iter();
        usual.find_map(|usual| names.iter().find(|name| name.eq_ignore_ascii_case(usual)))
    };
    find(Role::Model)?;
    let pairs: Vec<String> = Role::ALL
        .into_iter()
        .filter_map(|role| {
            let column = find(role).map(String::as_str);
            let is_required = Role::REQUIRED.contains(&role);
            let column = column.or(is_required.then_some("COLUMN"))?;
            Some(format!("{}={column}", role.name()))
        })
        .collect();
    let pairs = pairs.join(",");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "=,_-./".contains(c);
    Some(match pairs.chars().all(is_plain) {
        true => format!("--long {pairs}"),
        false => format!("--long '{pairs}'"),
    })
}

/// What logs call such a column, the likeliest first.
fn usual(role: Role) -> &'static [&'static str] {
    match role {
        Role::Prompt => &[
            "prompt",
            "query",
            "question",
            "input",
            "instruction",
            "problem",
            "text",
            "q",
        ],
        Role::Model => &[
            "model",
            "llm",
            "model_name",
            "model_id",
            "llm_name",
            "llm_id",
            "engine",
            "deployment",
        ],
        Role::Score => &[
            "score",
            "performance",
            "accuracy",
            "acc",
            "correct",
            "is_correct",
            "exact_match",
            "reward",
            "quality",
            "grade",
            "rating",
            "ok",
        ],
        Role::Id => &[
            "id",
            "prompt_id",
            "query_id",
            "question_id",
            "sample_id",
            "doc_id",
            "example_id",
            "item_id",
        ],
        Role::Cost => &[
            "cost_usd",
            "cost",
            "total_cost",
            "usd",
            "cost_dollars",
            "price",
        ],
        Role::InputTokens => &[
            "input_tokens",
            "prompt_tokens",
            "n_input_tokens",
            "input_token_num",
            "tokens_in",
        ],
        Role::OutputTokens => &[
            "output_tokens",
            "completion_tokens",
            "n_output_tokens",
            "output_token_num",
            "tokens_out",
        ],
        Role::Propensity => &["propensity", "action_probability", "logging_probability"],
        Role::Task => &[
            "task",
            "task_name",
            "dataset",
            "dataset_name",
            "benchmark",
            "eval_name",
            "category",
        ],
        Role::Split => &["split"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_table_is_recognized_by_its_columns() {
        let guess = |names: &[&str]| {
            guess(
                &names
                    .iter()
                    .map(|&name| name.to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        for (names, expected) in [
            (
                &["id", "prompt", "model", "score", "cost"][..],
                Some("--long prompt=prompt,model=model,score=score,id=id,cost=cost"),
            ),
            (
                &["Query", "LLM", "is_correct", "completion_tokens"],
                Some(
                    "--long prompt=Query,model=LLM,score=is_correct,output_tokens=completion_tokens",
                ),
            ),
            (
                &["model", "score"],
                Some("--long prompt=COLUMN,model=model,score=score"),
            ),
            (
                &["question", "model", "ROUGE-L"],
                Some("--long prompt=question,model=model,score=COLUMN"),
            ),
            (
                &["prompt", "model name", "model_name (short)", "score"],
                None,
            ),
            (
                &["user prompt", "prompt", "model", "is_correct"],
                Some("--long prompt=prompt,model=model,score=is_correct"),
            ),
            (&["id", "prompt", "score"], None),
            (&["id", "prompt"], None),
        ] {
            assert_eq!(guess(names).as_deref(), expected, "{names:?}");
        }
    }
}
