"""Why a URL does not answer: which hop is at fault, by what evidence, and what to do."""
