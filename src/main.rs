use palisade::document::*;
fn main() {
    for p in std::env::args().skip(1) {
        let t = std::fs::read(&p).unwrap();
        let t = String::from_utf8_lossy(&t).into_owned();
        let s = std::time::Instant::now();
        let r = read(FileId(0), &t, &ReadOptions::default());
        eprintln!("{p}: {:?} {} docs {:?}", r.state(), r.documents.len(), s.elapsed());
        for d in &r.documents {
            let mut o = String::new();
            write_json(d.root(), &mut o);
            if o.len() < 3000 {
                println!("{} {o}", d.id);
            }
        }
        for q in &r.problems {
            println!("problem {:?} {:?} {} ", q.at, q.state, q.message);
        }
        for q in &r.notes {
            println!("note {:?} {} ", q.at, q.text);
        }
        for q in &r.defects {
            println!("defect {:?}", q);
        }
    }
}
