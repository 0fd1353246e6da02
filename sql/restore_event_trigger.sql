-- Switches an event trigger; no event trigger sees that.
ALTER EVENT TRIGGER :"name" :how
