/// While it lives, libtorch computes on the calling thread alone; dropping it restores the previous number of threads.
///
/// The matrix products of a single prompt are so small that threads mostly busy-wait for one another, and on a busy machine for one that is
/// not running: on 2 cores beside a compiler, a decision on 62 tokens took 13 ms at the median on one thread and 41 ms on two.
/// Threads that start to use libtorch in the meantime get one thread too, which costs them time and nothing else.
#[derive(Debug)]
pub(crate) struct OneThread {
    n_before: i32,
}

impl OneThread {
    pub(crate) fn start() -> Self {
        let n_before = tch::get_num_threads();
        tch::set_num_threads(1);
        Self { n_before }
    }
}

impl Drop for OneThread {
    fn drop(&mut self) {
        tch::set_num_threads(self.n_before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_threads_is_restored() {
        tch::set_num_threads(3);
        let one = OneThread::start();
        assert_eq!(tch::get_num_threads(), 1);
        drop(one);
        assert_eq!(tch::get_num_threads(), 3);
    }
}
