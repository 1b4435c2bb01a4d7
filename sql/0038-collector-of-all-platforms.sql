-- The collector asks all platforms for their own figures, not LINE alone.
alter table line_collections rename to collections;
alter table line_questions rename to collection_questions;
alter table line_call_limits rename to collection_call_limits;
alter index line_collections_pkey rename to collections_pkey;
alter index line_questions_pkey rename to collection_questions_pkey;
alter index line_questions_open rename to collection_questions_open;
alter index line_call_limits_pkey rename to collection_call_limits_pkey;
alter table collections rename constraint line_collections_state_check to collections_state_check;
alter table collection_questions rename constraint line_questions_outcome_check to collection_questions_outcome_check;
