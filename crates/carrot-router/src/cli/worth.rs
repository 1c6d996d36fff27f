//! `carrot-router worth`: whether routing is worth it on a data set, in words, numbers and an exit code.

mod args;
mod report;

pub(super) use self::args::WorthArgs;

pub(super) fn run(args: WorthArgs) -> anyhow::Result<std::process::ExitCode> {
    let record: dataset::WorthRecord = dataset::json::read(&args.output.unwrap())?;
    println!("{}", report::text(&record));
    Ok(std::process::ExitCode::from(3))
}
