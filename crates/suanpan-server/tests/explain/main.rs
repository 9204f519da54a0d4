//! The table of errors: whole, of one mind with the code, and found by what people paste.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod table;
