use super::*;

/// Sends each thing that is written.
struct Stderr(Sender<String>);

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.send(String::from_utf8(line.to_vec()).unwrap()).unwrap();
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A logger, the log as long as it is held, and what is written, by this clock.
fn logger(clock: impl Fn() -> Duration + Send + 'static) -> (Logger, Logging, Receiver<String>) {
    let (queue, entries) = queue();
    let filter = Builder::new().parse_filters("debug").build();
    let logger = Logger { filter, queue: queue.clone(), limiter: Arc::default(), start: Instant::now() };
    let (writes, written) = channel();
    let limiter = Arc::clone(&logger.limiter);
    thread::spawn(move || write_out(&entries, &limiter, clock, &mut Stderr(writes)));
    (logger, Logging(queue), written)
}

fn log(logger: &Logger, level: Level, text: &str) {
    let args = format_args!("{text}");
    logger.log(&Record::builder().level(level).target("tests").args(args).build());
}

#[test]
fn what_nobody_reads_is_dropped_and_counted() {
    let (queue, entries) = queue();
    let (line, fit) = (format!("{:>99}\n", "a line"), LOG_QUEUE_MAX / 100);
    (0..fit + 7).for_each(|_| queue.offer(line.clone().into_bytes()));
    assert_eq!(entries.try_iter().count(), fit, "these are read at last");
    queue.offer(b"next\n".to_vec());
    drop(queue);
    let mut written = Vec::new();
    write_out(&entries, &Mutex::default(), || Duration::ZERO, &mut written);
    let expected = "(7 lines are missing here: the log was not read)\nnext\n";
    assert_eq!(String::from_utf8(written).unwrap(), expected);
}

#[test]
fn the_end_waits_for_what_was_logged() {
    const LINES: usize = 10_000;
    let (logger, logging, written) = logger(|| Duration::ZERO);
    (0..LINES).for_each(|_| log(&logger, Level::Debug, "a line"));
    drop(logging);
    assert_eq!(written.try_iter().count(), LINES);
}

#[test]
fn a_line_has_the_time_the_level_and_where_it_comes_from() {
    let (logger, logging, written) = logger(|| Duration::ZERO);
    log(&logger, Level::Warn, "beware");
    drop(logging);
    let line = written.recv().unwrap();
    let (time, rest) = line.split_once(' ').unwrap();
    assert_eq!(time.len(), "[2026-11-25T22:03:04+01:00".len(), "{line:?}");
    assert!(time[1..].parse::<jiff::Timestamp>().is_ok(), "{line:?}");
    assert_eq!(rest, "WARN  tests] beware\n");
}

#[test]
fn the_end_tells_what_was_left_out() {
    let (logger, logging, written) = logger(|| Duration::ZERO);
    (0..10_000).for_each(|_| log(&logger, Level::Info, "a flood"));
    log(&logger, Level::Error, "and a misfortune");
    drop(logging);
    let lines: Vec<_> = written.try_iter().collect();
    let floods = lines.iter().filter(|line| line.ends_with("a flood\n")).count();
    assert!((500..2000).contains(&floods), "{floods}");
    assert_eq!(lines.len(), floods + 2);
    assert!(lines[floods].contains("ERROR tests] and a misfortune\n"));
    let summary = format!("INFO  tests] … and {} more like this in the last 1 s\n", 10_000 - floods);
    assert!(lines[floods + 1].ends_with(&summary), "{:?}", lines[floods + 1]);
}

#[test]
fn of_what_operators_do_nothing_is_left_out() {
    const ACTS: usize = 10_000;
    let (logger, logging, written) = logger(|| Duration::ZERO);
    let act = |target: &str| {
        let args = format_args!("kick by op whom bob");
        logger.log(&Record::builder().level(Level::Info).target(target).args(args).build());
    };
    (0..ACTS).for_each(|_| act(ACTS_TARGET));
    (0..ACTS).for_each(|_| act("pipechat::broker::owners"));
    drop(logging);
    let (acts, others) = written.try_iter().partition::<Vec<_>, _>(|line| line.contains("broker::order]"));
    assert_eq!(acts.len(), ACTS);
    assert!(others.len() < ACTS / 2, "{}", others.len());
}

#[test]
fn what_was_left_out_is_told_when_the_log_has_gone_quiet() {
    // By the writer's clock, an hour passes.
    let (logger, _logging, written) = logger(|| Duration::from_secs(3600));
    (0..10_000).for_each(|_| log(&logger, Level::Info, "a flood"));
    let patience = Duration::from_secs(20);
    while !written.recv_timeout(patience).unwrap().contains(" more like this in the last 3600 s\n") {}
}
