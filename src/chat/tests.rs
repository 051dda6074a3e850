// Transcripts of the rules stand here.
