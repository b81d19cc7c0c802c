//! How keys and tokens begin that open something.

/// How a private key in a file begins.
pub const PRIVATE: &str = "-----BEGIN ";

/// Beginnings of keys that services give out, and how many letters follow at least.
pub const KEYS: [(&str, usize); 17] = [
    ("sk-ant-", 20),
    ("sk-proj-", 20),
    ("sk_live_", 20),
    ("rk_live_", 20),
    ("sk-", 32),
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 36),
    ("gho_", 36),
    ("github_pat_", 40),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("AIza", 35),
    ("hf_", 30),
    ("eyJhbGciOi", 40),
    (PRIVATE, 0),
];
